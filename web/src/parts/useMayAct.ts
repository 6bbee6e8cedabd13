import { useQuery } from '@tanstack/react-query';
import { sessionQuery } from '../api/queries.js';

/** Whether the token that is signed in may decide, pause and replay; the server asks again. */
export function useMayAct(): boolean {
  const { data: session } = useQuery(sessionQuery);
  return session?.role === 'operator' || session?.role === 'approver';
}
