import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Fault } from '../fault';
import { cacheHome } from '../paths';

/** Ways to production that the proof rig can be told to leave open, with the names of the attempts that use them. */
const ways = {
  redirect: /redirected/,
  'remote-url': /^git/,
  environment: /environment/,
  'look-up': /look-up|rebinding/,
} as const;

const wayNames = Object.keys(ways) as [Way, ...Way[]];
export type Way = keyof typeof ways;

/** Read by the proof rig alone. What it says can only turn the proof red. */
const holeFile = join(cacheHome, 'faults', 'hole-in-rig');

/** The way that is left open in the proof rig, if one is. */
export function openWay(): Way | undefined {
  return existsSync(holeFile) ? z.enum(wayNames).parse(readFileSync(holeFile, 'utf8')) : undefined;
}

/** Whether an attempt of the proof goes a way. */
export function goesWay(attempt: string, way: Way | undefined): boolean {
  return way !== undefined && ways[way].test(attempt);
}

/**
 * A boundary that does not judge one way to production. Planted where nothing can leave: in the proof rig, a network
 * namespace without a route out.
 */
export function holeInBoundary(way: Way, breaks: string): Fault {
  return {
    name: `unjudged-${way}`,
    breaks,
    plant: () => {
      mkdirSync(dirname(holeFile), { recursive: true });
      return Promise.resolve(writeFileSync(holeFile, way));
    },
    heal: () => Promise.resolve(rmSync(holeFile, { force: true })),
  };
}
