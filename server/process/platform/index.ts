import { darwin } from './darwin/index.ts';
import { linux } from './linux/index.ts';
import type { Platform } from './types.ts';
import { windows } from './windows/index.ts';

/** The seam: everything above reads processes through this object alone. Other Unixes are read through `ps`. */
export const platform: Platform = select(process.platform);

function select(name: NodeJS.Platform): Platform {
  if (name === 'linux') return linux;
  if (name === 'win32') return windows;
  return darwin;
}
