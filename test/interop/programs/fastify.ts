import { fastify } from 'fastify';
import { paidSession } from '../../../src/fastify.js';
import { usdc } from './usdc.js';

const app = fastify({ trustProxy: '127.0.0.1' });

const report = paidSession({
  ...usdc,
  price: '10000',
  protocols: ['atxp', 'x402'],
  identify: (request) => String(request.headers['x-user'] ?? request.ip),
});
app.get<{ Params: { day: string } }>('/reports/:day', { preHandler: report }, async (request, reply) => {
  if (!request.paymentSession?.charge('10000')) return reply.code(402).send();
  return { report: `of ${request.params.day}` };
});

export const server = app.server;
await app.listen({ host: '127.0.0.1', port: 0 });
