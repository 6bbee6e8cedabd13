import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startChild } from '../../../sandbox/stack/child.js';
import { reservePort } from '../../../sandbox/stack/ports.js';
import { temporaryPath, testGuard } from '../../support/child-processes.js';
import { nginxProgram } from '../../support/programs.js';
import { until } from '../../support/until.js';
import { TLS } from '../../unit/sessions/support/tls.js';

export interface Nginx {
  /** Origin over TLS. */
  readonly url: string;
  /** What it has written to its error log. */
  readonly errors: readonly string[];
  stop(): Promise<void>;
}

/** Its client's side of TLS, and what it tells the server behind about it; all else is nginx' own default. */
const FORWARDED = `
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;

/**
 * nginx with its defaults.
 * @param http what stands beside the server in `http`, in a folder of nginx' own
 * @param locations of the server, `{forwarded}` where they tell who asks
 */
export async function startNginx(parts: {
  readonly http?: (folder: string) => string;
  readonly locations: string;
}): Promise<Nginx> {
  const folder = temporaryPath('nginx');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'key.pem'), TLS.key);
  writeFileSync(join(folder, 'cert.pem'), TLS.cert);
  const reserved = await reservePort();
  const { port } = reserved;
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join('\n');
  const configuration = `
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr warn;
${process.getuid?.() === 0 ? 'user root root;' : ''}
events {}
http {
${paths}
  access_log off;
  ${parts.http?.(folder) ?? ''}
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    ${parts.locations.replaceAll('{forwarded}', FORWARDED)}
  }
}
`;
  writeFileSync(join(folder, 'nginx.conf'), configuration);
  await reserved.release();
  const errors: string[] = [];
  const child = await startChild(
    {
      name: 'nginx',
      command: nginxProgram(),
      args: ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')],
      env: process.env,
      signal: 'SIGTERM',
      graceMs: 5_000,
    },
    await testGuard(),
    (_name, line) => errors.push(line),
  );
  await until('nginx', () => listens(port), { limitMs: 10_000 });
  return {
    url: `https://127.0.0.1:${port}`,
    errors,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() && true));
    socket.once('error', () => resolve(false));
  });
