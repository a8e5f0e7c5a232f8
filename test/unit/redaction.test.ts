import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { registerSandboxSecrets, secretsOf } from '../../support/evidence/known-secrets';
import { Redactor } from '../../support/evidence/redaction';

/** Made at run time, so that no scanner takes them for leaked ones. */
const pem = (label: string): string =>
  `-----BEGIN ${label}-----\n${'A'.repeat(64)}\n${'B'.repeat(20)}\n-----END ${label}-----`;

describe('shapes of secrets are taken out', () => {
  const shapes: readonly (readonly [string, string, string])[] = [
    ['a Vault token', 'token hvs.CAESIJ0123456789abcdefghij', 'token hvs.[redacted]'],
    ['a batch token', 'hvb.AAAAAQ0123456789abcdefghij!', 'hvb.[redacted]!'],
    ['an old Vault token', 's.abcdefghijklmnopqrstuvwx.', 's.[redacted].'],
    ['a PEM key', `key: ${pem('RSA PRIVATE KEY')}\nnext`, 'key: -----BEGIN RSA PRIVATE KEY-----[redacted]\nnext'],
    [
      'a PEM key in JSON',
      JSON.stringify({ key: pem('PRIVATE KEY') }),
      '{"key":"-----BEGIN PRIVATE KEY-----[redacted]"}',
    ],
    ['a cut PEM key', '-----BEGIN PRIVATE KEY-----\nAAAA', '-----BEGIN PRIVATE KEY-----[redacted]'],
    [
      'a password in a URL',
      'postgres://erp_role:p%40ss@10.77.0.202:6432/erp',
      'postgres://erp_role:[redacted]@10.77.0.202:6432/erp',
    ],
    ['a password without user in a URL', 'redis://:hunter22@cache', 'redis://:[redacted]@cache'],
    ['JSON', '{"password": "hunter22", "user": "erp"}', '{"password": "[redacted]", "user": "erp"}'],
    ['JSON inside JSON', '{"body":"{\\"password\\":\\"hunter22\\"}"}', '{"body":"{\\"password\\":\\"[redacted]\\"}"}'],
    ['JSON: a key of several words', '{"client_token":"abc"}', '{"client_token":"[redacted]"}'],
    ['an environment', 'PGPASSWORD=hunter22 psql', 'PGPASSWORD=[redacted] psql'],
    ['a connection string', "host=pi2 password='a b' dbname=erp", 'host=pi2 password=[redacted] dbname=erp'],
    ['the ERP key', 'DOLAPIKEY=abc123', 'DOLAPIKEY=[redacted]'],
    ['the ERP header', 'DOLAPIKEY: abc123', 'DOLAPIKEY: [redacted]'],
    ['a bearer', 'Bearer abcdef0123456789', 'Bearer [redacted]'],
    ['an authorization header', 'authorization: token 0123456789abcdef', 'authorization: token [redacted]'],
    ['a Vault header', "'X-Vault-Token': 'root'", "'X-Vault-Token': '[redacted]'"],
    ['a web token', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl', 'eyJ[redacted]'],
    ['an option', 'mysqldump --password hunter22 erp', 'mysqldump --password [redacted] erp'],
    ['YAML', 'username: erp\npassword: hunter22\n', 'username: erp\npassword: [redacted]\n'],
    ['a kubeconfig', '    client-key-data: LS0tLS1CRUdJTg==', '    client-key-data: [redacted]'],
  ];
  for (const [what, text, clean] of shapes) {
    test(what, () => assert.equal(new Redactor().text(text), clean));
  }
});

describe('what is no secret stays', () => {
  const open = [
    'FATAL: password authentication failed for user "v-erp"',
    'link secret: unmet; expected holds, saw broken',
    'the secret: its mount or path',
    'Basic authentication is refused, a bearer token is asked for',
    'GET http://10.43.0.20:8200/v1/sys/health',
    'ssh root@10.77.0.201',
    '{"subject":"Vault policy canary-ops","status":"met"}',
    'spec.token.audiences[0]: Required value',
    'secretName: canary-config',
    'tokens: 3',
  ];
  for (const text of open) test(text, () => assert.equal(new Redactor().text(text), text));
});

describe('known secrets', () => {
  test('are taken out in every spelling', () => {
    const redactor = new Redactor();
    const secret = 'Tr0ub4dor"&3/é';
    redactor.register(secret);
    const escaped = JSON.stringify({ secret });
    for (const text of [
      secret,
      escaped,
      JSON.stringify(escaped),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
    ]) {
      assert.equal(redactor.remaining(text), 1, text);
      assert.equal(redactor.remaining(redactor.text(text)), 0);
    }
  });

  test('the longer one goes first', () => {
    const redactor = new Redactor();
    redactor.register('hunter22', 'hunter22-and-more');
    assert.equal(redactor.text('hunter22-and-more hunter22'), '[redacted] [redacted]');
  });

  test('a known value that becomes known late is taken out from then on', () => {
    const redactor = new Redactor();
    assert.equal(redactor.text('leased-abcdef'), 'leased-abcdef');
    redactor.register('leased-abcdef');
    assert.equal(redactor.text('leased-abcdef'), '[redacted]');
  });

  test('short and missing values are left to the shapes', () => {
    const redactor = new Redactor();
    redactor.register('erp', undefined, '', '     ');
    assert.equal(redactor.text('erp is fine'), 'erp is fine');
  });

  test('special characters of regular expressions are taken literally', () => {
    const redactor = new Redactor();
    redactor.register('a.*b+c?(d)[e]');
    assert.equal(redactor.text('a.*b+c?(d)[e] aXXbc'), '[redacted] aXXbc');
  });

  test('whole values are copied, not changed', () => {
    const redactor = new Redactor();
    redactor.register('hunter22');
    const value = { a: ['hunter22', { b: 'x hunter22' }], n: 1, none: null };
    assert.deepEqual(redactor.value(value), { a: ['[redacted]', { b: 'x [redacted]' }], n: 1, none: null });
    assert.equal(value.a[0], 'hunter22');
  });
});

describe('the secrets folder', () => {
  test('JSON and YAML give their values but not who and where', () => {
    assert.deepEqual(secretsOf('{"username":"gitea-admin","password":"pass-1","token":"tok-1"}'), ['pass-1', 'tok-1']);
    assert.deepEqual(
      secretsOf('{"unseal_keys_b64":["k1"],"unseal_keys_hex":["h1"],"root_token":"hvs.x","unseal_threshold":1}'),
      ['k1', 'h1', 'hvs.x'],
    );
    assert.deepEqual(
      secretsOf('users:\n- name: admin\n  user:\n    client-key-data: S0VZ\n    client-certificate-data: Q1JU'),
      ['S0VZ'],
    );
  });

  test('a plain token file gives its line, a key file every line', () => {
    assert.deepEqual(secretsOf('plain-token-value'), ['plain-token-value']);
    const redactor = new Redactor();
    redactor.register(...secretsOf(pem('OPENSSH PRIVATE KEY')));
    assert.equal(redactor.text(`said ${'A'.repeat(64)}`), 'said [redacted]');
  });

  test('files that appear or change while the run goes on are read again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
    try {
      const redactor = new Redactor();
      registerSandboxSecrets(redactor, folder);
      writeFileSync(join(folder, 'gitea-admin.json'), '{"username":"gitea-admin","password":"first-password"}');
      writeFileSync(join(folder, 'ci-jwt.pub'), 'public-value-public-value');
      registerSandboxSecrets(redactor, folder);
      assert.equal(redactor.text('gitea-admin first-password'), 'gitea-admin [redacted]');
      assert.equal(redactor.text('public-value-public-value'), 'public-value-public-value');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('no folder is no failure', () => registerSandboxSecrets(new Redactor(), '/nonexistent/secrets'));
});
