/** Devices, pipes and sockets of images and folders, where they can be made. */
import { errnoOf } from '../../lib/failure.ts'
import { isRootless } from '../../runtime/host.ts'
import { makeNode } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

type Special = Parameters<typeof makeNode>[1]

/** False when it is left out: in a user namespace nobody makes devices, and images are unpacked without theirs, as by Docker there. */
export function makeSpecial(path: HostPath, type: Special, major = 0, minor = 0): boolean {
  try {
    makeNode(path, type, major, minor)
    return true
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' || !type.endsWith('-device') || !isRootless()) throw error
    return false
  }
}
