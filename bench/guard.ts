import { BlockList, isIPv4 } from 'node:net';
import { judge, production } from '../support/isolation';
import { readInventory } from '../support/inventory';
import type { Benchmark } from './benchmark';

/** Every kind of thing a person may paste: the lab's own, production's in disguise, and what is neither. Never connected to. */
function addresses(): string[] {
  const { endpoints, machines } = readInventory();
  return [
    ...machines.map(({ address }) => address),
    ...Object.values(endpoints),
    production.first,
    '0xc0a801c9',
    '0300.0250.1.0312',
    '3232235979',
    '192.168.457',
    'http://[::ffff:192.168.1.202]:8200/v1/sys/health',
    'http://[64:ff9b::c0a8:1cb]/',
    'https://vault.lab@192.168.1.203:8200',
    'postgres://erp_role@192.168.1.202:5432/erp',
    `https://GITEA.${production.domain.toUpperCase()}./`,
    'http://%31%39%32.168.1.201/',
    'example.org',
    'http://10.77.0.201 .evil.example/',
  ];
}

/** How often each address is judged in a run: a single check is too short for a clock. */
const rounds = 200;

/** What the isolation boundary costs whoever asks it. */
export const guard: Benchmark = {
  name: 'guard',
  what: `one check of one address by the isolation boundary after start, in a process that has made some: the mean over ${rounds} rounds of the lab's endpoints, production in a dozen spellings and others; names are not looked up`,
  unit: 'ms',
  goal: 'below 5 ms',
  run: ({ part }) => {
    const texts = addresses();
    let slowest = 0;
    const mean = each(texts, (text) => {
      const began = performance.now();
      judge(text);
      slowest = Math.max(slowest, performance.now() - began);
    });
    part('slowest single check', slowest);
    return Promise.resolve(mean);
  },
  peer: {
    what: 'new URL() and net.BlockList: a check that knows addresses in the spellings URL knows and nothing of names, credentials or connection strings',
    run: () => {
      const { first, last } = production;
      const list = new BlockList();
      list.addRange(first, last, 'ipv4');
      return Promise.resolve(each(addresses(), (text) => refusedByList(text, list)));
    },
  },
};

function refusedByList(text: string, list: BlockList): boolean {
  const url = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(url)) return true;
  const { hostname } = new URL(url);
  return isIPv4(hostname) && list.check(hostname, 'ipv4');
}

/** Milliseconds per text. */
function each(texts: readonly string[], check: (text: string) => unknown): number {
  const began = performance.now();
  for (let round = 0; round < rounds; round++) for (const text of texts) check(text);
  return (performance.now() - began) / (rounds * texts.length);
}
