import type { Finding } from '../finding';
import type { ChainResult } from './link';
import { summary } from './report';

/** One finding a link: it holds. Links the chain does not have are unmet. */
export function linksHold(result: ChainResult, links: readonly string[]): Finding[] {
  return links.map((name) => {
    const link = result.links.find((one) => one.name === name);
    const checked = link?.findings.map((finding) => finding.subject).join(', ') ?? '';
    return {
      subject: `link ${name}`,
      status: link?.status === 'holds' ? 'met' : 'unmet',
      expected: 'holds',
      actual:
        link === undefined
          ? 'no such link'
          : link.status === 'holds'
            ? `holds after ${link.seconds.toFixed(2)} s`
            : link.status,
      source: checked || 'the chain',
      ...(result.brokenAt === name && result.likelyCause !== undefined ? { hint: result.likelyCause } : {}),
    };
  });
}

/** The chain breaks at that link, and every link before it holds. */
export function breaksAt(result: ChainResult, link: string): Finding {
  return {
    subject: 'first broken link',
    status: result.brokenAt === link ? 'met' : 'unmet',
    expected: link,
    actual: result.brokenAt ?? 'none',
    source: summary(result),
  };
}

/** The likely cause that the chain names mentions a text. */
export function causeMentions(result: ChainResult, text: string): Finding {
  const cause = result.likelyCause ?? 'none named';
  return {
    subject: 'likely cause',
    status: cause.includes(text) ? 'met' : 'unmet',
    expected: `mentions "${text}"`,
    actual: cause,
    source: summary(result),
  };
}
