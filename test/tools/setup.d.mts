/** Whether the build in `folder` (`dist`) is newer than all sources. */
export function isBuilt(folder?: string): boolean;
