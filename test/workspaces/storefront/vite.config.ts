import { defineConfig } from 'vite';

// Loopback only: a development server answers nobody but this machine.
export default defineConfig({
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1' },
  clearScreen: false,
});
