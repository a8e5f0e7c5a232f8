import { judgeEndpoint } from './endpoints';
import { parseIpv4 } from './addresses';
import { type Judge, isProductionAddress, production } from './policy';
import type { Verdict } from './verdict';

const url = /\b[a-z][a-z0-9+.-]*:[\\/]{2}[^\s"'<>|{}`$()]+/gi;
/** Anything made of numbers, dots and 0x that could be an address: also a single large number. */
const numeric = /(?<![\w.-])(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}(?![\w-]|\.\w)/gi;
const colons = /(?<![\w:])[0-9a-f]*:[0-9a-f:]*:[0-9a-fx.:]*/gi;
const domain = new RegExp(`(?<![\\w-])(?:[\\w-]+\\.)*${production.domain.replace('.', '\\.')}\\b(?![.-]?\\w)`, 'gi');

/** What in a free text (an argument, a script, a configuration value) is an address or a URL. */
export interface Scan {
  /** Refusals for production, in any spelling. */
  production: Verdict[];
  /** Verdicts for every URL and every plain dotted address. */
  others: Verdict[];
}

/**
 * Finds addresses in free text. Production is found in every spelling; anything else only where it is
 * unmistakably meant as an address (a URL, four decimal parts), because `1.2.3` is a version.
 */
export function scan(by: Judge, text: string): Scan {
  const judge = by.byNameOnly();
  const production: Verdict[] = [];
  const others: Verdict[] = [];
  const sort = (verdict: Verdict): void => {
    if (!verdict.allowed && verdict.kind.startsWith('production')) production.push(verdict);
    else others.push(verdict);
  };
  for (const form of spellings(text)) {
    for (const [found] of form.matchAll(url)) if (!/^(file|data|unix):/i.test(found)) sort(judgeEndpoint(judge, found));
    for (const [found] of form.matchAll(domain)) sort(judge.host(found));
    for (const [found] of form.matchAll(colons)) {
      const verdict = judge.host(found.replace(/\.$/, ''));
      if (!verdict.allowed && verdict.kind === 'production-address') production.push(verdict);
    }
    for (const match of form.matchAll(numeric)) {
      const [found] = match;
      const readings = parseIpv4(found.toLowerCase());
      if (
        [readings?.address, ...(readings?.alternatives ?? [])].some(
          (address) => address !== undefined && isProductionAddress(address),
        )
      )
        production.push(judge.host(found));
      else if (/^\d{1,3}(\.\d{1,3}){3}$/.test(found) && !isNetwork(form, match.index + found.length))
        others.push(judge.host(found));
    }
  }
  return { production, others };
}

/** A CIDR suffix makes it a network, not a place to connect to. */
function isNetwork(text: string, end: number): boolean {
  return /^\/\d{1,3}\b/.test(text.slice(end));
}

/** The text as it stands and, where that differs, as clients undo it. */
function spellings(text: string): string[] {
  const forms = new Set([text]);
  try {
    if (/%[0-9a-f]{2}/i.test(text)) forms.add(decodeURIComponent(text));
  } catch {
    // Not percent-encoded after all; the text itself has been scanned.
  }
  forms.add(
    text
      .normalize('NFKC')
      .replace(/[\u3002\uFF61]/gu, '.')
      .replace(/[\p{Cf}]/gu, ''),
  );
  return [...forms];
}
