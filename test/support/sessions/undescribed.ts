import { type Described, describedBy } from '../../../src/sessions/discovery/discovery.js';

/** A route of a test's own making, of which there is nothing to tell. */
export const undescribed = <Route extends object>(route: Route): Route & Described =>
  describedBy({ openApi: (operation = {}) => operation, listed: false }, route);
