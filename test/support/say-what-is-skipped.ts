/** MAKEGOOD_SKIP_INTEGRATION=1 must never look like a full run. */
export function setup(): void {
  const skipped = ['integration', 'faults', 'contract'].map((folder) => `test/${folder}`);
  console.log(`MAKEGOOD_SKIP_INTEGRATION=1: skipped, because they need servers: ${skipped.join(', ')}`);
}
