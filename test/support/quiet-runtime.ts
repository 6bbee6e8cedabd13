import { DefaultLogger, Runtime } from '@temporalio/worker';

let installed: Runtime | undefined;

/** A process has one runtime, and files of the same project share a process: whoever comes first installs it. */
export function quietRuntime(): void {
  installed ??= Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}
