import { readFileSync } from 'node:fs';

/** The workflows as they are built for a worker of production. */
export const workflowBundle = (): { code: string } => ({
  code: readFileSync(new URL('../../dist/workflow-bundle.js', import.meta.url), 'utf8'),
});
