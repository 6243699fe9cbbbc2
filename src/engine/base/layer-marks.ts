/**
 * What hides something in an unpacked layer: overlay's own marks, so that overlay takes the layer as it is, and marks of ours on a file
 * system that refuses those (overlay itself keeps them for its own use), where layers are never mounted but only read.
 */
import type { Stats } from 'node:fs'
import { errnoOf } from '../../lib/failure.ts'
import { getXattr, makeNode, setXattr } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

/** Overlay's whiteout is the character device 0:0; major 0 is nobody's, so 0:255 is no device either. */
const whiteouts = { overlay: 0, own: 255 }
/** In a user namespace nobody sets those that are trusted, and overlay takes a user's. */
const opaques = [
  'trusted.overlay.opaque',
  'user.overlay.opaque',
  'trusted.tscompose.opaque',
  'user.tscompose.opaque',
] as const
const yes = Buffer.from('y')

export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && (stat.rdev === whiteouts.overlay || stat.rdev === whiteouts.own)
}

export function isOpaque(path: HostPath): boolean {
  return opaques.some(name => getXattr(path, name)?.toString() === 'y')
}

/** At a path where nothing is. */
export function makeWhiteout(path: HostPath): void {
  try {
    makeNode(path, 'character-device', 0, whiteouts.overlay)
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error
    makeNode(path, 'character-device', 0, whiteouts.own)
  }
}

/** The folder hides all that layers below have in its place. */
export function markOpaque(path: HostPath): void {
  for (const name of opaques)
    try {
      setXattr(path, name, yes)
      return
    } catch (error) {
      if (name === opaques.at(-1) || !['EOPNOTSUPP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
    }
}
