// `dump-environment.mjs <file>`: writes its environment there, whole or not at all, and ends.
import { renameSync, writeFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
writeFileSync(`${file}.${process.pid}`, JSON.stringify(process.env));
renameSync(`${file}.${process.pid}`, file);
