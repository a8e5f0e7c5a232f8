import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Subject, type Verdict, judge } from '../../support/isolation';
import { inventoryFile } from '../../support/paths';
import { readFileSync } from 'node:fs';

function kindOf(subject: Subject): string {
  const verdict: Verdict = judge(subject);
  return verdict.allowed ? 'allowed' : verdict.kind;
}

const kubeconfig = (server: string, more = '', user = '{}'): string => `
apiVersion: v1
kind: Config
clusters:
  - name: lab
    cluster: { server: https://10.77.0.201:6443 }
  - name: other
    cluster: { server: "${server}"${more} }
users:
  - name: admin
    user: ${user}
`;

test('a kubeconfig is refused for any cluster, proxy or credential helper that leads to production', () => {
  assert.equal(kindOf({ kubeconfig: kubeconfig('https://10.77.0.202:6443') }), 'allowed');
  assert.equal(kindOf({ kubeconfig: kubeconfig('https://192.168.1.201:6443') }), 'production-address');
  assert.equal(kindOf({ kubeconfig: kubeconfig('https://0xc0a801c9:6443') }), 'production-address');
  assert.equal(kindOf({ kubeconfig: kubeconfig('https://k3s.arcodange.fr:6443') }), 'production-name');
  assert.equal(
    kindOf({ kubeconfig: kubeconfig('https://10.77.0.202:6443', ', proxy-url: "socks5://192.168.1.203:1080"') }),
    'production-address',
  );
  assert.equal(
    kindOf({
      kubeconfig: kubeconfig('https://10.77.0.202:6443', '', '{ exec: { command: ssh, args: [root@192.168.1.201] } }'),
    }),
    'production-address',
  );
  assert.equal(kindOf({ kubeconfig: kubeconfig('https://eu.cluster.example') }), 'outside');
});

test('a kubeconfig that is empty, broken or no kubeconfig is unreadable', () => {
  for (const text of ['', 'clusters: []', '{', 'hello', 'clusters: [{ name: a }]', '\u0000\u0001'])
    assert.equal(kindOf({ kubeconfig: text }), 'unreadable', JSON.stringify(text));
});

test("the lab's own inventory is permitted", () => {
  assert.equal(kindOf({ inventory: readFileSync(inventoryFile, 'utf8') }), 'allowed');
});

test('an inventory is refused for production anywhere in it, in YAML, INI and as JSON', () => {
  const yaml = (vars: string): string => `all: { hosts: { a: { ansible_host: 10.77.0.201, ${vars} } } }`;
  assert.equal(kindOf({ inventory: yaml('x: 1') }), 'allowed');
  assert.equal(kindOf({ inventory: 'all: { hosts: { a: { ansible_host: 192.168.1.201 } } }' }), 'production-address');
  assert.equal(kindOf({ inventory: yaml('postgres_host: 192.168.1.202') }), 'production-address');
  assert.equal(kindOf({ inventory: yaml('numeric: 3232235979') }), 'production-address');
  assert.equal(kindOf({ inventory: yaml('ansible_ssh_common_args: "-o ProxyJump=bastion.example.org"') }), 'outside');
  assert.equal(kindOf({ inventory: 'all: { hosts: { a: { ansible_host: 10.1.2.3 } } }' }), 'outside');
  assert.equal(
    kindOf({ inventory: '[pis]\npi1 ansible_host=10.77.0.201\npi2 ansible_host="192.168.1.202"\n' }),
    'production-address',
  );
  assert.equal(kindOf({ inventory: '[pis]\npi1 ansible_host=10.77.0.201 # was 192.168.1.201\n' }), 'allowed');
  assert.equal(
    kindOf({ inventory: '{"_meta":{"hostvars":{"a":{"ansible_host":"192.168.1.203"}}}}' }),
    'production-address',
  );
});

test('an ssh configuration is judged for the host that is meant, jumps, proxies and forwards included', () => {
  const config =
    'Host lab*\n  HostName 10.77.0.201\n  ProxyJump root@192.168.1.201\nHost other\n  HostName 10.77.0.202\n';
  assert.equal(kindOf({ sshConfig: config, host: 'lab1' }), 'production-address');
  assert.equal(kindOf({ sshConfig: config, host: 'other' }), 'allowed');
  assert.equal(kindOf({ sshConfig: config }), 'production-address');
  assert.equal(kindOf({ sshConfig: 'Host *\n ProxyCommand ssh -W %h:%p 0300.0250.1.0312' }), 'production-address');
  assert.equal(kindOf({ sshConfig: 'Host *\n ProxyCommand nc %h %p' }), 'allowed');
  assert.equal(kindOf({ sshConfig: 'Match exec true\n  HostName=192.168.1.203' }), 'production-address');
  assert.equal(kindOf({ sshConfig: 'Host * !pi1\n  HostName 192.168.1.203', host: 'pi1' }), 'allowed');
  assert.equal(kindOf({ sshConfig: 'Include work.conf' }), 'unreadable');
});

test('a git remote is judged in every form git takes', () => {
  for (const remote of [
    'http://10.77.0.202:3000/arcodange-org/erp.git',
    'git@10.77.0.202:arcodange-org/erp.git',
    'ssh://git@pi2:2222/erp.git',
    '/srv/erp.git',
    './erp.git',
    '../erp',
    'file:///srv/erp.git',
  ]) {
    assert.equal(kindOf({ gitRemote: remote }), 'allowed', remote);
  }
  for (const remote of [
    'git@192.168.1.202:erp.git',
    'ssh://git@0xc0a801ca/erp',
    'https://user:token@192.168.1.202/erp.git',
  ])
    assert.equal(kindOf({ gitRemote: remote }), 'production-address', remote);
  assert.equal(kindOf({ gitRemote: 'https://git.arcodange.fr/erp.git' }), 'production-name');
  assert.equal(kindOf({ gitRemote: 'git@github.com:arcodange/erp.git' }), 'outside');
  assert.equal(kindOf({ gitRemote: 'ext::ssh root@192.168.1.201 %S' }), 'unreadable');
});

test('a connection string is judged for every host libpq would try', () => {
  for (const text of [
    'postgres://u:p@10.77.0.202:6432/erp',
    'host=10.77.0.202 password=x',
    "host='10.77.0.202' hostaddr=10.77.0.202",
    'postgresql:///erp',
    'dbname=erp',
  ]) {
    assert.equal(kindOf({ connectionString: text }), 'allowed', text);
  }
  for (const text of [
    'postgres://u:p@192.168.1.202/erp',
    'postgres://u@10.77.0.202,192.168.1.202/erp',
    'host=10.77.0.202,192.168.1.202',
    'host=10.77.0.202 hostaddr=192.168.1.202',
    'postgresql:///erp?host=192.168.1.202',
  ]) {
    assert.equal(kindOf({ connectionString: text }), 'production-address', text);
  }
  assert.equal(kindOf({ connectionString: 'service=prod' }), 'unreadable');
});

test('no verdict shows a password', () => {
  for (const text of [
    'postgres://u:s3cret@192.168.1.202/erp',
    'host=192.168.1.202 password=s3cret',
    "host=192.168.1.202 password='s3cret x'",
    'https://u:s3cret@192.168.1.202/',
  ]) {
    assert.doesNotMatch(JSON.stringify(judge(text)), /s3cret/, text);
  }
});

test('confined to erp-sandbox, only hosts of that name are permitted', () => {
  const scoped = (text: string): string => {
    const verdict = judge(text, { scope: 'erp-sandbox' });
    return verdict.allowed ? 'allowed' : verdict.kind;
  };
  for (const text of [
    'https://erp-sandbox.arcodange.lab/api/index.php',
    'ERP-Sandbox.arcodange.lab.',
    'http://erp-sandbox.erp-sandbox.svc.cluster.local:80',
  ])
    assert.equal(scoped(text), 'allowed', text);
  for (const text of [
    'https://erp.arcodange.lab',
    'https://erp-sandbox@erp.arcodange.lab/',
    'https://xerp-sandbox.arcodange.lab',
    '10.43.0.20',
    'localhost',
    'https://erp.arcodange.lab/?x=erp-sandbox.arcodange.lab',
  ])
    assert.equal(scoped(text), 'wrong-scope', text);
  assert.equal(scoped('https://erp-sandbox.arcodange.fr'), 'production-name');
  assert.equal(scoped('https://erp-sandbox.example.org'), 'outside');
});
