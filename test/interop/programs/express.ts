import express from 'express';
import { paidSession } from '../../../src/index.js';
import { usdc } from './usdc.js';

const app = express();
app.set('trust proxy', 'loopback');

const report = paidSession({
  ...usdc,
  price: '10000',
  protocols: ['atxp', 'x402'],
  identify: (req) => req.get('x-user'),
});
app.get('/report', report, (req, res) => {
  if (!req.paymentSession?.charge('10000')) return res.status(402).end();
  return res.json({ report: 'of today' });
});

export const server = app.listen(0, '127.0.0.1');
