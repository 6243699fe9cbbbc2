/** Names of devices that specifications describe: "vendor.com/class=device". Pure. (CDI SPEC.md, "Kind" and "Device names") */

export interface DeviceName {
  /** "vendor.com/class". */
  readonly kind: string
  readonly device: string
}

const ended = (inner: string) => `[A-Za-z0-9](?:[${inner}]*[A-Za-z0-9])?`
const kindPattern = /^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\/[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/
const devicePattern = new RegExp(`^${ended('A-Za-z0-9_.:-')}$`)

export function isKind(text: string): boolean {
  return kindPattern.test(text)
}

export function isDevice(text: string): boolean {
  return devicePattern.test(text)
}

/** Undefined when it is no such name: a path, for example. */
export function parseDeviceName(text: string): DeviceName | undefined {
  const at = text.indexOf('=')
  const [kind, device] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)]
  return at > 0 && isKind(kind) && isDevice(device) ? { kind, device } : undefined
}
