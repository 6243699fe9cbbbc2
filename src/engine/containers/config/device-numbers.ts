/** makedev(3) of glibc, undone; a number holds it exactly as long as the major stays below 2²¹. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  const dev = BigInt(rdev)
  return {
    major: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)),
    minor: Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn)),
  }
}
