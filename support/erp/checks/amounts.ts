/** Amounts in hundredths, as whole numbers: money is never a float. */
export type Cents = bigint;

/** Reads Dolibarr's `1234.50000000`, rounded half away from zero. @throws RangeError for anything else */
export function cents(text: unknown): Cents {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(text ?? '0'));
  if (match === null) throw new RangeError(`not an amount: ${JSON.stringify(text)}`);
  const fraction = (match[3] ?? '').padEnd(3, '0');
  const rounded =
    BigInt(match[2] ?? '0') * 100n +
    BigInt(fraction.slice(0, 2)) +
    (fraction[2] !== undefined && fraction[2] >= '5' ? 1n : 0n);
  return match[1] === '-' ? -rounded : rounded;
}

/** 123450 as 1234.50. */
export function shownAmount(amount: Cents): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(3, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
