import { compare, type Finding } from '../../finding';
import type { Systems } from '../../systems';
import { connectSandboxErp, type SandboxErp } from '../client';
import { readSecrets } from '../credentials';
import { takeGolden } from '../golden';
import { production, sandbox } from '../instances';
import { removeGolden } from '../rehearsal';
import { resetSandbox } from '../reset/reset';
import { readDocuments } from './carrier';
import { contentHash, type Listing } from './folder';
import { listingDifference } from './mirror';

/** What production and the sandbox keep as documents. */
export interface BothListings {
  production: Listing;
  sandbox: Listing;
}

/** Looks at the volumes of both instances, which go on serving. */
export async function listBoth({ kubernetes }: Systems): Promise<BothListings> {
  const [ofProduction, ofSandbox] = await Promise.all(
    [production, sandbox].map((names) => readDocuments(kubernetes, names, (folder) => folder.list())),
  );
  return { production: ofProduction ?? new Map(), sandbox: ofSandbox ?? new Map() };
}

/** Makes the sandbox's documents production's where an earlier scenario left others. @returns what production has. */
export async function ensureSameDocuments(systems: Systems): Promise<Listing> {
  const found = await listBoth(systems);
  if (listingDifference(found.production, found.sandbox) === 'the same') return found.production;
  const { name } = await takeGolden(systems, () => undefined);
  try {
    await resetSandbox(systems, { from: name, documents: true, say: () => undefined });
  } finally {
    await removeGolden(systems, name);
  }
  return found.production;
}

/** Where an invoice's documents lie on the volume. */
const invoiceFolder = 'facture/';

/**
 * Works with documents as the write skill will, over the sandbox's API: one more for an invoice, another content of the same
 * length, one less, and one in a folder that belongs to no invoice: nothing but a look at the whole volume finds that.
 */
export async function workOnDocuments(systems: Systems, there: Listing): Promise<void> {
  const erp = await agent(systems);
  const [kept = '', gone = ''] = [...there.keys()]
    .filter((path) => path.startsWith(invoiceFolder))
    .map((path) => path.slice(invoiceFolder.length));
  const [folder = '', name = ''] = kept.split('/');
  const changed = Buffer.from(await erp.document(kept));
  const last = changed.length - 1;
  changed[last] = (changed[last] ?? 0) ^ 1;
  await erp.putDocument(folder, name, changed);
  await erp.putDocument(folder, 'note of the agent.txt', Buffer.from('Répétition'));
  await erp.putDocument('NO-INVOICE', 'left-over.txt', Buffer.from('Nobody’s'));
  await erp.removeDocument(gone);
}

/** Whether the sandbox's API serves the documents of a listing with their content. */
export async function probeServesDocuments(systems: Systems, expected: Listing): Promise<Finding[]> {
  const erp = await agent(systems);
  const served = new Map<string, string>();
  for (const path of expected.keys()) {
    if (!path.startsWith(invoiceFolder)) continue;
    served.set(path, contentHash(await erp.document(path.slice(invoiceFolder.length))));
  }
  const source = `${served.size} documents of ${sandbox.host}/api/index.php/documents`;
  return [compare('documents served', 'the same', listingDifference(expected, served), source)];
}

/** Whether one listing is the other. */
export function sameDocuments(subject: string, expected: Listing, actual: Listing): Finding {
  const source = `SHA-256 of ${actual.size} files`;
  return compare(subject, 'the same', listingDifference(expected, actual), source);
}

async function agent({ vault, kubernetes }: Systems): Promise<SandboxErp> {
  return connectSandboxErp(kubernetes, (await readSecrets(vault, sandbox.instance)).ai_agent_api_key);
}
