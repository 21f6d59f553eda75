/** Exit codes of DESIGN 9, of the supervisor and of every verb; `exec` gives the code of its command besides. */
export const ExitCode = {
  done: 0,
  failed: 1,
  held: 2,
  lockLost: 4,
  usage: 64,
  configuration: 78,
  interrupted: 130,
  terminated: 143,
} as const;
