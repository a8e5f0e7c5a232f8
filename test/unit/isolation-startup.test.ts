import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readInventory } from '../../support/inventory';
import { judge, judgeResolved, policyFrom, production } from '../../support/isolation';
import { breakVariable } from '../../support/isolation/rig';
import { leavesByDefaultRoute } from '../../support/isolation/routes';
import { assertStartAllowed, startUpRefusals } from '../../support/isolation/startup';
import type { TokenKnowledge } from '../../support/isolation/tokens';
import { projectRoot } from '../../support/paths';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

const clean = {
  PATH: '/usr/bin',
  HOME: '/root',
  TERM: 'xterm',
  CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: '/x.pem',
  CF_FONT_KEYWORDS_FILE: '',
  SSH_AUTH_SOCK: '/x',
};

/** Names of the variables the start is refused for. */
async function refusedFor(
  environment: Record<string, string>,
  knowledge: TokenKnowledge = 'unknown',
): Promise<string[]> {
  const refusals = await startUpRefusals({
    environment: { ...clean, ...environment },
    knowsVaultToken: () => Promise.resolve(knowledge),
    ownAddresses: ['10.0.0.5'],
  });
  return refusals.map((refusal) => refusal.subject.replace('environment variable ', '').replace(/:.*$/, ''));
}

test('a clean shell may start', async () => {
  assert.deepEqual(await refusedFor({}), []);
});

test('real credentials are found by name', async () => {
  for (const name of [
    'CLOUDFLARE_API_TOKEN',
    'CF_API_KEY',
    'TF_VAR_cloudflare_api_token',
    'CLOUDFLARE_EMAIL_API_KEY',
    'ZOHO_CLIENT_SECRET',
    'ZOHO_REFRESH_TOKEN',
    'OVH_APPLICATION_KEY',
    'OVH_APPLICATION_SECRET',
    'OVH_CONSUMER_KEY',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'GOOGLE_OAUTH_ACCESS_TOKEN',
    'GOOGLE_CREDENTIALS',
    'CLOUDSDK_AUTH_ACCESS_TOKEN',
    'GCP_SERVICE_ACCOUNT_KEY',
  ]) {
    assert.deepEqual(await refusedFor({ [name]: 'whatever' }), [name], name);
  }
});

test('real credentials are found by shape, whatever the variable is called', async () => {
  for (const value of [
    'ya29.a0AfH6SMBxxxxxxxxxxxxxxxxxxxx',
    `AIza${'x'.repeat(35)}`,
    `1000.${'a'.repeat(32)}.${'b'.repeat(32)}`,
    `v1.0-${'a'.repeat(24)}-${'b'.repeat(146)}`,
    '{"type":"service_account","client_email":"x@y.iam.gserviceaccount.com"}',
    `GOCSPX-${'x'.repeat(28)}`,
  ]) {
    assert.deepEqual(await refusedFor({ INNOCENT: value }), ['INNOCENT'], value);
  }
});

test("a Vault token is refused unless the sandbox's Vault knows it, by name and by shape", async () => {
  const token = 'hvs.CAESIJ0123456789012345678901';
  assert.deepEqual(await refusedFor({ VAULT_TOKEN: token }, 'known'), []);
  assert.deepEqual(await refusedFor({ VAULT_TOKEN: token }, 'unknown'), ['VAULT_TOKEN']);
  assert.deepEqual(await refusedFor({ VAULT_TOKEN: 'legacy' }, 'cannot tell'), ['VAULT_TOKEN']);
  assert.deepEqual(await refusedFor({ X: token }, 'unknown'), ['X']);
  assert.deepEqual(await refusedFor({ X: `s.${'a1B2'.repeat(6)}` }, 'unknown'), ['X']);
});

test('only what is meant for a Vault is shown to the sandbox Vault', async () => {
  const asked: string[] = [];
  const environment = { ...clean, CLOUDFLARE_API_TOKEN: 'cf', ZOHO_REFRESH_TOKEN: 'z', VAULT_TOKEN: 'v' };
  await startUpRefusals({
    environment,
    ownAddresses: [],
    knowsVaultToken: (token) => Promise.resolve(asked.push(token) > 0 ? 'known' : 'known'),
  });
  assert.deepEqual(asked, ['v']);
});

test('a shell aimed at production and a machine that is production may not start', async () => {
  assert.deepEqual(await refusedFor({ PGHOST: '192.168.1.202' }), ['PGHOST']);
  const own = await startUpRefusals({ environment: clean, ownAddresses: ['127.0.0.1', '192.168.1.203'] });
  assert.match(own[0]?.reason ?? '', /192\.168\.1\.203/);
});

test('the message names every variable and shows no value', async () => {
  const environment = { CLOUDFLARE_API_TOKEN: 'cfsecretvalue', ZOHO_CLIENT_SECRET: 'zohosecretvalue' };
  await assert.rejects(
    assertStartAllowed({ environment, ownAddresses: [], knowsVaultToken: () => Promise.resolve('unknown') }),
    (thrown: Error) => {
      assert.match(thrown.message, /CLOUDFLARE_API_TOKEN/);
      assert.match(thrown.message, /ZOHO_CLIENT_SECRET/);
      assert.doesNotMatch(thrown.message, /secretvalue/);
      return true;
    },
  );
});

test('an inventory that would draw the boundary around production or the internet is refused', () => {
  const inventory = readInventory();
  assert.doesNotThrow(() => policyFrom(inventory));
  assert.throws(() => policyFrom({ ...inventory, networkCidr: '0.0.0.0/0' }), /private networks/);
  assert.throws(() => policyFrom({ ...inventory, podCidr: '8.8.8.0/24' }), /private networks/);
  assert.throws(() => policyFrom({ ...inventory, serviceCidr: 'nonsense' }), /private networks/);
  assert.throws(
    () => policyFrom({ ...inventory, endpoints: { ...inventory.endpoints, vault: 'https://192.168.1.201:8200' } }),
    /production-address/,
  );
  assert.throws(() => policyFrom({ ...inventory, nameServer: '192.168.1.201' }), /production-address/);
  assert.throws(
    () => policyFrom({ ...inventory, machines: [{ name: 'pi1', address: '10.99.0.1', groups: [] }] }),
    /outside/,
  );
  // Machines that share a network with production stay usable; production does not become so.
  const bridged = policyFrom({
    ...inventory,
    networkCidr: '192.168.1.0/24',
    machines: [{ name: 'vm1', address: '192.168.1.60', groups: [] }],
    operatorAddress: '192.168.1.5',
    nameServer: '192.168.1.60',
    endpoints: {
      ...inventory.endpoints,
      kubernetes: 'https://192.168.1.60:6443',
      gitea: 'http://192.168.1.60:3000',
      registry: 'http://192.168.1.60:5000',
      bucket: 'http://192.168.1.60:4443',
      postgres: '192.168.1.60:5432',
      pgbouncer: '192.168.1.60:6432',
      ca: 'https://192.168.1.60:9000',
    },
  });
  assert.ok(bridged.host('192.168.1.60').allowed);
  assert.ok(!bridged.host('192.168.1.202').allowed);
});

test('a permitted name that answers with production is refused, and no other name is looked up', async () => {
  const asked: string[] = [];
  const resolver = (answer: string) => (name: string) => (asked.push(name), Promise.resolve([answer]));
  const evil = await judgeResolved('https://erp.arcodange.lab', { resolver: resolver('192.168.1.201') });
  assert.ok(!evil.allowed && evil.kind === 'resolves-to-refused');
  const mapped = await judgeResolved('erp.arcodange.lab:443', { resolver: resolver('::ffff:192.168.1.203') });
  assert.ok(!mapped.allowed && mapped.kind === 'resolves-to-refused');
  assert.ok((await judgeResolved('erp.arcodange.lab', { resolver: resolver('10.43.7.7') })).allowed);
  assert.ok(!(await judgeResolved('erp.arcodange.lab', { resolver: resolver('93.184.216.34') })).allowed);
  asked.length = 0;
  assert.ok(!(await judgeResolved('www.arcodange.fr', { resolver: resolver('10.77.0.201') })).allowed);
  assert.ok(!(await judgeResolved('example.org', { resolver: resolver('10.77.0.201') })).allowed);
  assert.ok((await judgeResolved('10.77.0.201', { resolver: resolver('10.77.0.201') })).allowed);
  assert.deepEqual(asked, []);
});

test('the switch that breaks the boundary does nothing outside the rig', () => {
  process.env[breakVariable] = '1';
  try {
    assert.ok(!judge('192.168.1.201').allowed);
  } finally {
    Reflect.deleteProperty(process.env, breakVariable);
  }
});

test('an address that only the default route leads to is known', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'routes-')), 'route');
  const line = (destination: string, mask: string): string =>
    `eth0\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0\n`;
  writeFileSync(
    file,
    `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n${line('00000000', '00000000')}${line('00004D0A', '00FFFFFF')}`,
  );
  assert.equal(leavesByDefaultRoute('10.77.0.201', file), false);
  assert.equal(leavesByDefaultRoute('10.43.0.20', file), true);
  assert.equal(leavesByDefaultRoute('127.0.0.1', file), false);
  assert.equal(leavesByDefaultRoute('10.43.0.20', '/nonexistent'), false);
});

test('the Ansible plugin guards the same addresses and the same domain', () => {
  const plugin = readFileSync(
    join(projectRoot, 'sandbox', 'factory', 'ansible', 'plugins', 'callback', 'prod_guard.py'),
    'utf8',
  );
  const value = (name: string): string | undefined => new RegExp(`^${name} = .*?'([^']+)'`, 'm').exec(plugin)?.[1];
  assert.equal(value('PRODUCTION_FIRST'), production.first);
  assert.equal(value('PRODUCTION_LAST'), production.last);
  assert.equal(value('PRODUCTION_DOMAIN'), production.domain);
});
