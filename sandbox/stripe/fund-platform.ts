/** A thousand million of the larger unit, in currencies of two digits. */
const PLENTY = 100_000_000_000;

/**
 * A new platform has nothing, and most stories are about something else than that: tops its balance up with plenty, as
 * somebody in the dashboard would, unless there is some already.
 */
export async function fundPlatform(url: string, currencies: readonly string[] = ['usd']): Promise<void> {
  const { balanceTransactions } = await ask(`${url}/control/ledger`);
  if (balanceTransactions.length > 0) return;
  const topups = Object.fromEntries(currencies.map((currency) => [currency, PLENTY]));
  await ask(`${url}/control/seed`, { topups });
}

async function ask(url: string, body?: object): Promise<{ readonly balanceTransactions: readonly object[] }> {
  const answer = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${url} refused: ${await answer.text()}`);
  return (await answer.json()) as { readonly balanceTransactions: readonly object[] };
}
