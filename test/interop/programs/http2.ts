import { createServer } from 'node:http2';
import { paidSession } from '../../../src/node.js';
import { usdc } from './usdc.js';

export const server = createServer(
  paidSession({ ...usdc, name: '/report', price: '10000', protocols: ['atxp', 'x402'] }, (req, res, payment) => {
    if (!payment.charge('10000')) return res.writeHead(402).end();
    return res.end(`the report, by stream ${req.stream.id}`);
  }),
).listen(0, '127.0.0.1');
