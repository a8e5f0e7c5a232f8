import { createServer } from 'node:http';
import { after, before } from 'node:test';

/** Gives recorded answers by path while the tests of this process run; 404 in Kubernetes' manner for everything else. */
export function answering(port: number, answers: () => Readonly<Record<string, unknown>>): void {
  const server = createServer((request, response) => {
    const body = answers()[(request.url ?? '').split('?')[0] ?? ''];
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json', Connection: 'close' });
    response.end(JSON.stringify(body ?? { kind: 'Status', message: 'not found', errors: ['not found'] }));
  });
  before(() => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve)));
  after(() => void server.close());
}
