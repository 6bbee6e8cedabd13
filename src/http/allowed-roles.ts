import type { Role } from '../domain/roles.js';

/** Who may do what: everybody with a token may read. */
export const READERS: readonly Role[] = ['service', 'viewer', 'operator', 'approver'];
export const OPERATORS: readonly Role[] = ['operator', 'approver'];
export const SERVICES: readonly Role[] = ['service'];
