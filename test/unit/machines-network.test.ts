import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { overlaps, range } from '../../sandbox/machines/cidr';
import { edgeRules, productionAddresses } from '../../sandbox/machines/edge';
import { cableName } from '../../sandbox/machines/layout';
import { machineNetworkBatch, takenSubnets } from '../../sandbox/machines/network';
import { hostsFile, sshArguments } from '../../sandbox/machines/operator';
import { readInventory, type Machine } from '../../support/inventory';

const inventory = readInventory();

function machine(name: string): Machine {
  const found = inventory.machines.find((candidate) => candidate.name === name);
  ok(found, `${name} is in the inventory`);
  return found;
}

describe('IPv4 networks', () => {
  it('have a first and a last address', () => {
    deepEqual(range('10.77.0.0/24'), { first: 0x0a4d0000, last: 0x0a4d00ff });
    deepEqual(range('10.77.0.9'), { first: 0x0a4d0009, last: 0x0a4d0009 });
    deepEqual(range('0.0.0.0/0'), { first: 0, last: 0xffffffff });
  });

  it('overlap when one lies in the other, and not when they are neighbours', () => {
    equal(overlaps('10.42.0.0/16', '10.42.3.0/24'), true);
    equal(overlaps('10.42.3.0/24', '10.0.0.0/8'), true);
    equal(overlaps('10.42.0.0/16', '10.43.0.0/16'), false);
  });
});

describe('a route of the host', () => {
  const taken = (...routes: object[]): string[] =>
    takenSubnets(inventory, JSON.stringify(routes)).map(({ route }) => route);

  it('into one of the lab networks is named', () => {
    deepEqual(taken({ dst: '10.42.7.0/24', dev: 'docker0' }), ['10.42.7.0/24']);
    deepEqual(taken({ dst: '10.43.0.1', dev: 'tun0' }), ['10.43.0.1']);
    deepEqual(taken({ dst: '10.0.0.0/8', dev: 'tun0' }), ['10.0.0.0/8']);
    deepEqual(taken({ dst: '10.77.200.0/24', dev: 'vpn' }), ['10.77.200.0/24']);
  });

  it("is left alone when it is the default, elsewhere, or the lab's own", () => {
    deepEqual(taken({ dst: 'default', dev: 'eth0' }, { dst: '192.0.2.0/24', dev: 'eth0' }), []);
    deepEqual(taken({ dst: '10.77.0.0/24', dev: 'br-lab' }, { type: 'local', dst: '10.77.0.1', dev: 'br-lab' }), []);
  });
});

describe("a machine's network", () => {
  const batch = machineNetworkBatch(inventory, machine('pi2')).split('\n');

  it("leads to the other nodes' pods and to services, and nowhere else", () => {
    deepEqual(
      batch.filter((line) => line.startsWith('route')),
      [
        'route add 10.42.1.0/24 via 10.77.0.201',
        'route add 10.42.3.0/24 via 10.77.0.203',
        'route add 10.43.0.0/16 dev eth0',
      ],
    );
    ok(!batch.some((line) => line.includes('default')), 'no default route');
  });

  it('has the same hardware address after every power-on', () => {
    ok(batch.includes('link set eth0 address 02:4c:0a:4d:00:ca'));
  });

  it("has a cable whose name the kernel accepts and that says it is the lab's", () => {
    for (const { name } of inventory.machines) match(cableName(name), /^lab-[a-z0-9]{1,11}$/);
  });
});

describe('the edge', () => {
  const rules = edgeRules(inventory).split('\n');

  it('drops what goes to production before it looks at anything else', () => {
    const drops = rules.filter((line) => line.includes('drop'));
    match(drops[0] ?? '', new RegExp(`ip daddr ${productionAddresses} .*drop`));
  });

  it("lets the lab's own networks through", () => {
    const rule = rules.find((line) => line.includes('ip daddr != {')) ?? '';
    for (const network of [inventory.networkCidr, inventory.podCidr, inventory.serviceCidr]) ok(rule.includes(network));
  });

  it('counts all it drops', () => {
    for (const line of rules.filter((rule) => rule.includes('drop'))) match(line, /counter name/);
  });
});

describe('names', () => {
  it('of machines and endpoints are in the hosts file', () => {
    const hosts = hostsFile(inventory).split('\n');
    ok(hosts.includes('10.77.0.203 pi3 pi3.arcodange.lab'));
    ok(hosts.includes('10.77.0.202 gitea.arcodange.lab'));
    ok(hosts.includes('10.77.0.202 pgbouncer.arcodange.lab'));
    ok(hosts.includes('10.43.0.20 vault.arcodange.lab'));
  });

  it('of a host are never trusted blindly by SSH', () => {
    const args = sshArguments(machine('pi1'));
    ok(args.includes('StrictHostKeyChecking=yes'));
    ok(args.includes('BatchMode=yes'));
    equal(args.at(-1), 'root@10.77.0.201');
    equal(args[args.indexOf('-F') + 1], 'none');
  });
});
