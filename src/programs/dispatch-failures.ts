import { lacksSchema } from '../ledger/no-schema.js';

interface WarningLog {
  warn(bindings: object, message: string): void;
}

/** Tells why settlements could not be dispatched. The dispatcher looks every second: that the schema is missing is said once. */
export function tellingOfDispatchFailures(log: WarningLog): (error: unknown) => void {
  let toldOfSchema = false;
  return (error) => {
    if (!lacksSchema(error)) log.warn({ err: error }, 'settlements could not be dispatched; the sweep starts them');
    else if (!toldOfSchema) {
      toldOfSchema = true;
      log.warn({}, 'the database has no current schema, so no settlement can be dispatched: run makegood migrate');
    }
  };
}
