/** File modes as Go has them on the wire (os.FileMode), to and from those of the kernel. */

/** Kernel type bits → Go's. */
const types: readonly (readonly [kernel: number, go: number])[] = [
  [0o100000, 0],
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
]
const special: readonly (readonly [kernel: number, go: number])[] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
]

/** Of st_mode. */
export function goMode(mode: number): number {
  const type = types.find(([kernel]) => kernel === (mode & 0o170000))
  return (mode & 0o777) + (type?.[1] ?? 0) + special.reduce((sum, [kernel, go]) => sum + (mode & kernel ? go : 0), 0)
}

/** To st_mode; undefined for a type that the kernel does not have. */
export function kernelMode(mode: number): number | undefined {
  const has = (bit: number) => Math.floor(mode / bit) % 2 === 1
  const typeBits = [2 ** 31, 2 ** 27, 2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19].reduce(
    (sum, bit) => sum + (has(bit) ? bit : 0),
    0,
  )
  const type = types.find(([, go]) => go === typeBits)
  if (type === undefined) return undefined
  return type[0] + (mode % 0o1000) + special.reduce((sum, [kernel, go]) => sum + (has(go) ? kernel : 0), 0)
}
