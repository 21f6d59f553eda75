/**
 * The one table of what a child does not inherit and why. The launcher applies it, the doctor and the tests read it.
 *
 * It names what hosts (an editor, a coding agent, a package manager's script runner, an init system) say about
 * themselves: true for the process they started and false, or harmful, for a tree that outlives them. It is a list of
 * what goes and not of what stays, because nobody can list what a user's tools need: keys, tokens, proxies and paths
 * are the user's own. `LD_PRELOAD` and `DYLD_INSERT_LIBRARIES` stay for that reason (allocators, fake clocks, sandboxes):
 * no host sets them to speak of itself.
 */
export interface EnvironmentRules {
  /** Every name that begins so goes, unless it is preserved. */
  readonly prefixes: readonly string[];
  readonly exact: readonly string[];
  /** Names and patterns that stay although a prefix covers them: settings and keys that a user gives. */
  readonly preserve: readonly (string | RegExp)[];
  /** Names that anybody may set, which go only with a value or in company that shows a host's hand. */
  readonly conditional: readonly ConditionalRule[];
  /** Set in every child unless a variable of `unless` is there. */
  readonly defaults: readonly DefaultVariable[];
}

export interface ConditionalRule {
  readonly name: string;
  readonly goes: (value: string, lookup: (name: string) => string | undefined) => boolean;
}

export interface DefaultVariable {
  readonly name: string;
  readonly value: string;
  readonly unless: readonly string[];
}

export const ENVIRONMENT_RULES: EnvironmentRules = {
  prefixes: [
    'CLAUDECODE_',
    'CLAUDE_CODE_',
    'CLAUDE_AGENT_SDK_',
    'CURSOR_',
    'ELECTRON_',
    'VSCODE_',
    'npm_lifecycle_',
    'npm_package_',
  ],
  exact: [
    // An outer tree's marker would make its members ours.
    'COPPICE_TREE',
    // Coding agents. Tools print less, ask nothing or refuse to nest when they see these.
    'CLAUDECODE',
    'CLAUDE_CODE',
    'CLAUDE_PROJECT_DIR',
    'CLAUDE_PLUGIN_ROOT',
    'CLAUDE_ENV_FILE',
    'MCP_SESSION_ID',
    'AI_AGENT',
    'AMP_CURRENT_THREAD_ID',
    'AUGMENT_AGENT',
    'CLINE_ACTIVE',
    'CODEX_SANDBOX',
    'CODEX_SANDBOX_NETWORK_DISABLED',
    'CODEX_THREAD_ID',
    'CODEX_CI',
    'COPILOT_AGENT_SESSION_ID',
    'GEMINI_CLI',
    'GOOSE_TERMINAL',
    'OPENCODE',
    'OPENCODE_PID',
    'QWEN_CODE',
    'ROO_ACTIVE',
    'TRAE_AI_SHELL_ID',
    // A Node parent's channel or role: a child that believes these opens a foreign descriptor, or waits for a master.
    'NODE_CHANNEL_FD',
    'NODE_CHANNEL_SERIALIZATION_MODE',
    'NODE_UNIQUE_ID',
    'NODE_TEST_CONTEXT',
    // The terminal that the supervisor was started from; output goes to a file.
    'TERM_PROGRAM',
    'TERM_PROGRAM_VERSION',
    'OLDPWD',
    '_',
    // What npm, pnpm and yarn say of the script that they run; what a user sets for them (`npm_config_registry`) stays.
    'INIT_CWD',
    'PROJECT_CWD',
    'BERRY_BIN_FOLDER',
    'PNPM_SCRIPT_SRC_DIR',
    'npm_command',
    'npm_execpath',
    'npm_node_execpath',
    'npm_config_global_prefix',
    'npm_config_local_prefix',
    'npm_config_node_gyp',
    'npm_config_npm_version',
    'npm_config_user_agent',
    // make's recipe, systemd's unit: descriptors and sockets that are not handed on.
    'MAKELEVEL',
    'MAKE_TERMERR',
    'MAKE_TERMOUT',
    'INVOCATION_ID',
    'JOURNAL_STREAM',
    'LISTEN_FDNAMES',
    'LISTEN_FDS',
    'LISTEN_PID',
    'NOTIFY_SOCKET',
    'SYSTEMD_EXEC_PID',
    'WATCHDOG_PID',
    'WATCHDOG_USEC',
    // macOS prints a warning in every process that inherits these.
    'MallocStackLogging',
    'MallocStackLoggingNoCompact',
    // The package that the editor runs from; a library path inside it breaks programs outside it.
    'SNAP',
    'SNAP_ARCH',
    'SNAP_COMMON',
    'SNAP_CONTEXT',
    'SNAP_COOKIE',
    'SNAP_DATA',
    'SNAP_DESKTOP_RUNTIME',
    'SNAP_EUID',
    'SNAP_INSTANCE_KEY',
    'SNAP_INSTANCE_NAME',
    'SNAP_LAUNCHER_ARCH_TRIPLET',
    'SNAP_LIBRARY_PATH',
    'SNAP_NAME',
    'SNAP_REAL_HOME',
    'SNAP_REEXEC',
    'SNAP_REVISION',
    'SNAP_UID',
    'SNAP_USER_COMMON',
    'SNAP_USER_DATA',
    'SNAP_VERSION',
    'APPIMAGE',
  ],
  preserve: [
    'CLAUDE_CODE_GIT_BASH_PATH',
    'CLAUDE_CODE_OAUTH_TOKEN',
    /^CLAUDE_CODE_(USE|SKIP)_(BEDROCK|VERTEX|FOUNDRY)(_AUTH)?$/,
    'CURSOR_API_KEY',
    'ELECTRON_CACHE',
    'ELECTRON_CUSTOM_DIR',
    'ELECTRON_CUSTOM_FILENAME',
    'ELECTRON_GET_USE_PROXY',
    'ELECTRON_MIRROR',
    'ELECTRON_NIGHTLY_MIRROR',
    'ELECTRON_OVERRIDE_DIST_PATH',
    'ELECTRON_SKIP_BINARY_DOWNLOAD',
    /^ELECTRON_BUILDER_/,
  ],
  conditional: [
    // Both ask a window of the editor that may be closed by then.
    { name: 'GIT_ASKPASS', goes: (value) => EDITOR_ASKPASS.test(value) },
    { name: 'SSH_ASKPASS', goes: (value) => EDITOR_ASKPASS.test(value) },
    { name: 'BROWSER', goes: (value) => /[\\/]helpers[\\/]browser\.(sh|cmd)$/.test(value) },
    { name: 'CHROME_DESKTOP', goes: (value) => /^(code|codium|cursor|windsurf)/.test(value) },
    // npm sets it to the node that runs npm.
    { name: 'NODE', goes: (value, lookup) => value === lookup('npm_node_execpath') },
    // The descriptors of make's job server are closed in the child, which would warn and run one job at a time.
    ...['MAKEFLAGS', 'MFLAGS', 'CARGO_MAKEFLAGS'].map((name) => ({
      name,
      goes: (value: string) => value.includes('--jobserver'),
    })),
    // An AppImage's own; `ARGV0` renames every program that zsh starts.
    ...['APPDIR', 'ARGV0', 'OWD'].map((name) => ({
      name,
      goes: (_value: string, lookup: (name: string) => string | undefined) => lookup('APPIMAGE') !== undefined,
    })),
  ],
  defaults: [
    // stdout is a file, which makes many tools drop their colours and buffer their lines.
    { name: 'FORCE_COLOR', value: '1', unless: ['FORCE_COLOR', 'NO_COLOR', 'NODE_DISABLE_COLORS'] },
    { name: 'CLICOLOR_FORCE', value: '1', unless: ['CLICOLOR_FORCE', 'CLICOLOR', 'NO_COLOR'] },
    { name: 'CARGO_TERM_COLOR', value: 'always', unless: ['CARGO_TERM_COLOR', 'NO_COLOR'] },
    { name: 'PYTHONUNBUFFERED', value: '1', unless: ['PYTHONUNBUFFERED'] },
  ],
};

const EDITOR_ASKPASS = /[\\/]extensions[\\/]git[\\/]dist[\\/](ssh-)?askpass/;
