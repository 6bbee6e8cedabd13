/**
 * What a bearer of a token may do.
 * service: POST of business objects and every GET; viewer: every GET; operator: viewer and resolve; approver: operator
 * and approve.
 */
export const ROLES = ['service', 'viewer', 'operator', 'approver'] as const;
export type Role = (typeof ROLES)[number];

export interface ApiToken {
  /** Who holds it: the name that decisions are recorded under. One person may have several tokens. */
  readonly name: string;
  readonly role: Role;
  readonly token: string;
}
