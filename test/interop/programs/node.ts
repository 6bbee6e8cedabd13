import { createServer } from 'node:http';
import { paidSession } from '../../../src/node.js';
import { usdc } from './usdc.js';

const report = paidSession(
  {
    ...usdc,
    name: '/report',
    price: '10000',
    protocols: ['atxp', 'x402'],
    identify: (req) => req.headersDistinct['x-user']?.[0],
  },
  async (_req, res, payment) => {
    if (!payment.charge('10000')) return res.writeHead(402).end();
    res.setHeader('Content-Type', 'application/json');
    return res.end(JSON.stringify({ report: 'of today' }));
  },
);

export const server = createServer((req, res) => {
  const { pathname } = new URL(req.url ?? '/', 'http://localhost');
  if (pathname === '/report') report(req, res);
  else res.writeHead(404).end();
}).listen(0, '127.0.0.1');
