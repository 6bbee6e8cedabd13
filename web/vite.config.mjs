import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The pages of the console, as the server serves them below /console/: hashed assets, no script inside the page. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  logLevel: 'warn',
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    // 'use client' says nothing to a page that no server renders
    rolldownOptions: { onLog: (level, log, say) => log.code === 'MODULE_LEVEL_DIRECTIVE' || say(level, log) },
  },
});
