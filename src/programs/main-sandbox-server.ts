import { mountDemoRoutes } from '../../sandbox/demo-routes.js';
import { readConfig } from '../config/config.js';
import { withSettingsFile } from '../config/settings-file.js';
import { runServer } from './main-server.js';

/** The server of `npm start` and the demo: the product's, with paid routes to try it on. */
try {
  await runServer(readConfig(withSettingsFile(process.env)), { mount: mountDemoRoutes });
  process.exit();
} catch (error) {
  process.stderr.write(`makegood: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
