import { BlockList, isIPv4 } from 'node:net';
import { z } from 'zod';
import { compare, type Finding } from '../finding';
import type { Machine } from '../inventory';
import type { Target } from '../target';

const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional(), type: z.string().optional() }).loose());

/** Whether a machine answers by SSH, and under its own name. */
export async function probeHostname(target: Target, machine: Machine): Promise<Finding> {
  const answer = await target.onMachine(machine.name, ['hostname']);
  return compare(`host name of ${machine.address}`, machine.name, answer.stdout.trim(), `ssh ${machine.name} hostname`);
}

/** Whether every route of a machine stays inside the sandbox's own networks (issue 3: the lab's network has no route out). */
export async function probeRoutes(target: Target, machine: Machine): Promise<Finding> {
  const command = ['ip', '-j', 'route', 'show', 'table', 'main'];
  const answer = await target.onMachine(machine.name, command);
  const { networkCidr, podCidr, serviceCidr } = target.inventory;
  const own = [networkCidr, podCidr, serviceCidr];
  const networks = new BlockList();
  for (const network of own) networks.addSubnet(...split(network), 'ipv4');
  const stays = (destination: string): boolean => {
    const [address] = split(destination);
    return isIPv4(address) && networks.check(address, 'ipv4');
  };
  const out = routes.parse(JSON.parse(answer.stdout)).filter(({ dst }) => !stays(dst));
  return {
    subject: `routes of ${machine.name}`,
    status: out.length === 0 ? 'met' : 'unmet',
    expected: `only ${own.join(', ')}`,
    actual: out.length === 0 ? 'only these' : out.map(({ dst, dev }) => `${dst} by ${dev ?? 'nothing'}`).join(', '),
    source: `ssh ${machine.name} ${command.join(' ')}`,
  };
}

/** Address and prefix length of a network; an address alone is a network of one. */
function split(network: string): [string, number] {
  const [address = '', length = '32'] = network.split('/');
  return [address, Number(length)];
}
