#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/src/programs/main-cli.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error('makegood is not built yet: run "npm ci && npm run build" in its folder, then try again.');
  process.exitCode = 1;
}
