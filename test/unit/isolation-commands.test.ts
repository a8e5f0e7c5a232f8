import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { childEnvironment } from '../../support/command';
import { judge } from '../../support/isolation';
import { ChildJudge, confinedEnvironment } from '../../support/isolation/children';
import { currentJudge } from '../../support/isolation/policy';
import { judgeShell } from '../../support/isolation/environment';

// Nothing here is started: the commands are judged only.

function kindOf(line: readonly string[], env: Record<string, string> = {}, cwd?: string): string {
  const [file = '', ...args] = line;
  const verdict = judge({ command: { file, args, env, ...(cwd === undefined ? {} : { cwd }) } });
  return verdict.allowed ? 'allowed' : verdict.kind;
}

function folderWith(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'isolation-'));
  writeFileSync(join(folder, name), text);
  return folder;
}

test('what the lab itself runs is permitted', () => {
  for (const line of [
    [
      'ssh',
      '-F',
      'none',
      '-i',
      '/root/key',
      '-o',
      'UserKnownHostsFile=/x',
      'root@10.77.0.201',
      '--',
      'cat',
      '/etc/hostname',
    ],
    ['kubectl', '--server=https://10.77.0.201:6443', 'get', 'pods', '-A', '-o', 'json'],
    ['helm', 'template', '.', '--kube-version', '1.34.3', '--set', 'image.tag=1.2.3'],
    ['psql', '-h', '10.77.0.202', '-p', '5432', '-c', 'select 1'],
    [
      'skopeo',
      'copy',
      'oci:/x:quay.io/argoproj/argocd:v3.2.0',
      'docker://10.77.0.10:5000/quay.io/argoproj/argocd:v3.2.0',
    ],
    ['git', '-C', '/x', 'push', 'http://u:p@10.77.0.202:3000/arcodange-org/erp.git', 'main'],
    ['tofu', 'apply', '-var', 'vault_address=http://10.43.0.20:8200', '-backend-config=prefix=sandbox/erp/main'],
    ['ip', 'route', 'add', '10.42.1.0/24', 'via', '10.77.0.201'],
    ['nft', 'add', 'rule', 'ip', 'daddr', '192.168.1.201-192.168.1.203', 'drop'],
    ['nsenter', '--net=/run/x', 'ip', 'addr', 'add', '192.168.1.201/32', 'dev', 'x'],
    ['go', 'mod', 'download', 'k8s.io/kubernetes@v1.34.3'],
    ['npm', 'install', '--registry', 'https://registry.npmjs.org'],
    ['python3', '-m', 'pip', 'install', '--index-url', 'https://pypi.org/simple', 'ansible'],
    ['etcd', '--listen-client-urls=https://0.0.0.0:2379', '--advertise-client-urls=https://10.77.0.201:2379'],
  ]) {
    assert.equal(kindOf(line), 'allowed', line.join(' '));
  }
});

test('production in an argument is refused whatever the program, wrapped or not', () => {
  for (const line of [
    ['ssh', 'root@192.168.1.201'],
    ['ssh', '-Jroot@192.168.1.201', 'root@10.77.0.201'],
    ['ssh', '-o', 'HostName 192.168.1.201', 'pi1'],
    ['ssh', '-L', '8200:192.168.1.201:8200', 'root@10.77.0.201'],
    ['ssh', '-o', 'ProxyCommand=nc 192.168.1.201 22', 'root@10.77.0.201'],
    ['ssh', 'root@10.77.0.201', 'curl', 'http://192.168.1.201/'],
    ['scp', 'x', 'root@192.168.1.202:/tmp'],
    ['nsenter', '--net=/run/x', 'ssh', 'root@192.168.1.202'],
    ['env', 'A=1', 'sudo', '-u', 'git', 'ssh', '3232235979'],
    ['sh', '-c', 'ping -c1 192.168.1.203'],
    ['psql', 'postgres://u@192.168.1.202/erp'],
    ['psql', '-h192.168.1.202'],
    ['pg_dump', '--host=0xC0A801CA', 'erp'],
    ['vault', 'status', '-address=https://192.168.1.201:8200'],
    ['kubectl', '-s', 'https://192.168.1.201:6443', 'get', 'nodes'],
    ['curl', '--resolve', 'erp.arcodange.lab:443:192.168.1.201', 'https://erp.arcodange.lab/'],
    ['curl', '-x', '192.168.1.203:3128', 'http://10.77.0.201'],
    ['ansible', '-i', '192.168.1.201,', 'all', '-m', 'ping'],
    ['ansible-playbook', 'site.yml', '-e', 'ansible_host=192.168.1.201'],
    ['npm', 'install', '--registry', 'http://192.168.1.202:4873'],
    ['tofu', 'plan', '-var', 'postgres_host=192.168.1.202'],
    ['nc', '192.168.457', '22'],
  ]) {
    assert.equal(kindOf(line), 'production-address', line.join(' '));
  }
  assert.equal(kindOf(['curl', 'https://arcodange.fr']), 'production-name');
  assert.equal(kindOf(['sh', '-c', 'dig @10.43.0.10 mail.ARCODANGE.FR']), 'production-name');
});

test('a place outside is refused where it is a place, and a version or number is not taken for one', () => {
  assert.equal(kindOf(['ssh', 'bastion.example.org']), 'outside');
  assert.equal(kindOf(['curl', 'https://example.org']), 'outside');
  assert.equal(kindOf(['kubectl', '--server', 'https://8.8.8.8:6443', 'get', 'pods']), 'outside');
  assert.equal(kindOf(['git', 'clone', 'https://github.com/x/y']), 'outside');
  assert.equal(kindOf(['node', '--version', '1.2.3', '5432', '20.19', '0x10']), 'allowed');
});

test('files that a command is given are judged: kubeconfig, inventory, ssh configuration', () => {
  const config = folderWith(
    'config',
    'apiVersion: v1\nclusters: [{ name: p, cluster: { server: "https://192.168.1.201:6443" } }]\n',
  );
  assert.equal(kindOf(['kubectl', '--kubeconfig', join(config, 'config'), 'get', 'pods']), 'production-address');
  assert.equal(kindOf(['helm', 'list'], { KUBECONFIG: join(config, 'config') }), 'production-address');
  const hosts = folderWith('hosts.yml', 'all: { hosts: { a: { ansible_host: 192.168.1.201 } } }');
  assert.equal(kindOf(['ansible-playbook', '-i', join(hosts, 'hosts.yml'), 'site.yml']), 'production-address');
  assert.equal(
    kindOf(['ansible-playbook', 'site.yml'], { ANSIBLE_INVENTORY: join(hosts, 'hosts.yml') }),
    'production-address',
  );
  const ssh = folderWith('ssh.conf', 'Host *\n  ProxyJump 192.168.1.201\n');
  assert.equal(kindOf(['ssh', '-F', join(ssh, 'ssh.conf'), 'root@10.77.0.201']), 'production-address');
  const including = folderWith('ssh.conf', `Include ${join(ssh, 's*.conf')}\n`);
  assert.equal(kindOf(['ssh', '-F', join(including, 'ssh.conf'), 'root@10.77.0.201']), 'production-address');
});

test("a git command in a worktree is judged by its repository's remotes", () => {
  const folder = mkdtempSync(join(tmpdir(), 'isolation-git-'));
  const git = (...args: string[]): void => void execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' });
  git('init');
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--allow-empty', '-m', 'first');
  git('remote', 'add', 'prod', 'git@192.168.1.202:erp.git');
  git('worktree', 'add', join(folder, 'beside'));
  assert.equal(kindOf(['git', 'push', 'prod'], {}, join(folder, 'beside')), 'production-address');
  assert.equal(kindOf(['git', 'status'], {}, join(folder, 'beside')), 'allowed');
});

test("a git command is judged by the repository's remotes and rewrites", () => {
  const folder = mkdtempSync(join(tmpdir(), 'isolation-git-'));
  const git = (...args: string[]): void => void execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' });
  git('init');
  git('remote', 'add', 'origin', 'http://10.77.0.202:3000/arcodange-org/erp.git');
  assert.equal(kindOf(['git', 'push', 'origin', 'main'], {}, folder), 'allowed');
  git('config', 'url.ssh://git@192.168.1.202:2222/.pushInsteadOf', 'http://10.77.0.202:3000/');
  assert.equal(kindOf(['git', 'push', 'origin', 'main'], {}, folder), 'production-address');
  assert.equal(kindOf(['git', 'status'], {}, folder), 'allowed');
  git('config', '--unset-all', 'url.ssh://git@192.168.1.202:2222/.pushInsteadOf');
  git('remote', 'add', 'prod', 'git@192.168.1.202:erp.git');
  assert.equal(kindOf(['git', 'push', 'origin'], {}, folder), 'allowed');
  assert.equal(kindOf(['git', 'push', 'prod'], {}, folder), 'production-address');
  assert.equal(kindOf(['git', '-C', folder, 'fetch', '--all']), 'production-address');
  assert.equal(
    kindOf(['git', '-c', 'http.proxy=http://192.168.1.203:3128', '-C', folder, 'fetch', 'origin']),
    'production-address',
  );
});

test('an environment is judged by what its variables lead to', () => {
  const kind = (environment: Record<string, string>): string => {
    const verdict = judge({ environment });
    return verdict.allowed ? 'allowed' : verdict.kind;
  };
  assert.equal(
    kind({
      VAULT_ADDR: 'http://10.43.0.20:8200',
      PGHOST: '10.77.0.202',
      HOSTNAME: 'laptop',
      PATH: '/bin',
      FOO: '1.2.3',
    }),
    'allowed',
  );
  for (const [name, value] of Object.entries({
    VAULT_ADDR: 'https://192.168.1.201:8200',
    PGHOST: '0xc0a801ca',
    HTTPS_PROXY: 'http://192.168.1.203:3128',
    GIT_SSH_COMMAND: 'ssh -J root@192.168.1.201',
    ANYTHING: 'x 192.168.1.202 y',
    DATABASE_URL: 'postgres://u@192.168.1.202/erp',
    GOPROXY: 'http://192.168.1.202:8081',
  })) {
    assert.equal(kind({ [name]: value }), 'production-address', name);
  }
  assert.equal(kind({ VAULT_ADDR: 'https://vault.example.org' }), 'outside');
  assert.equal(kind({ GIT_SSH_COMMAND: 'ssh -i /key -o IdentitiesOnly=yes' }), 'allowed');
  assert.equal(kind({ PGSERVICEFILE: '/home/op/.pg_service.conf' }), 'unreadable');
});

test('a shell is judged for production alone: what lies outside is neither used nor passed on', () => {
  assert.ok(
    judgeShell(currentJudge(), {
      GITHUB_SERVER_URL: 'https://github.com',
      SSH_CONNECTION: '192.168.1.50 5 192.168.1.201 22',
    }).allowed,
  );
  const verdict = judgeShell(currentJudge(), { PGHOST: '192.168.1.202' });
  assert.ok(!verdict.allowed && verdict.subject.includes('PGHOST'));
});

test("a child's place must be answered by /etc/hosts with a permitted address, or by a permitted name server", () => {
  const at = folderWith('hosts', '10.77.0.201 good.arcodange.lab\n192.168.1.201 evil.arcodange.lab\n');
  writeFileSync(join(at, 'outside'), 'nameserver 9.9.9.9\n');
  writeFileSync(join(at, 'here'), 'nameserver 127.0.0.53\n');
  const judgeOf = (resolvConf: string): ChildJudge =>
    new ChildJudge(currentJudge(), { hosts: join(at, 'hosts'), resolvConf: join(at, resolvConf) });
  assert.ok(judgeOf('outside').host('good.arcodange.lab').allowed);
  const evil = judgeOf('outside').host('EVIL.arcodange.lab.');
  assert.ok(!evil.allowed && evil.kind === 'resolves-to-refused');
  const unknown = judgeOf('outside').host('other.arcodange.lab');
  assert.ok(!unknown.allowed && unknown.kind === 'outside' && unknown.reason.includes('9.9.9.9'));
  const asked = judgeOf('here');
  assert.ok(asked.host('other.arcodange.lab').allowed);
  assert.deepEqual([...asked.toLookUp], ['other.arcodange.lab']);
  assert.ok(judgeOf('outside').host('vault.vault.svc.cluster.local').allowed);
});

test("this shell's proxies reach package clients only, and production as a proxy is refused to all", async () => {
  const before = process.env['HTTPS_PROXY'];
  process.env['HTTPS_PROXY'] = 'http://proxy.example.org:3128';
  try {
    const of = (file: string): Promise<Record<string, string>> =>
      confinedEnvironment({ file, args: ['x'], env: childEnvironment() });
    assert.equal((await of('pip'))['HTTPS_PROXY'], 'http://proxy.example.org:3128');
    assert.equal((await of('kubectl'))['HTTPS_PROXY'], undefined);
    process.env['HTTPS_PROXY'] = 'http://192.168.1.203:3128';
    await assert.rejects(of('kubectl'), /environment variable HTTPS_PROXY.*production-address/);
    await assert.rejects(of('pip'), /environment variable HTTPS_PROXY.*production-address/);
  } finally {
    if (before === undefined) delete process.env['HTTPS_PROXY'];
    else process.env['HTTPS_PROXY'] = before;
  }
});

test('a child gets the allow-listed environment, not the whole shell', () => {
  process.env['SOMETHING_PRIVATE'] = 'x';
  assert.equal(childEnvironment()['SOMETHING_PRIVATE'], undefined);
  delete process.env['SOMETHING_PRIVATE'];
});
