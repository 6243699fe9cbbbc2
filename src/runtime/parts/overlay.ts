/** Layers one over the other, by whichever way this kernel takes them. */
import { posix } from 'node:path'
import { Failure } from '../../lib/failure.ts'
import type { HostFacts } from '../host.ts'
import type { HostPath, IdRange } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { mapSteps } from './user-namespace.ts'

export interface Overlay {
  /** Lowest first. */
  readonly layers: readonly HostPath[]
  /** Under the lowest; not of the image. Left out where there is no room for it: before 6.5 for its name, then for one more. */
  readonly beneath?: HostPath | undefined
  /** Where what changes goes; none: for reading only. */
  readonly changes?: { readonly upper: HostPath; readonly work: HostPath }
  readonly slot: number
  /** A folder of the host over which it is attached, in the container's mount namespace alone; with mapped ids by the caller. */
  readonly place: HostPath
  /** Of a user namespace: layers and changes are shown with its ids, and what is written is written with those of the disk. */
  readonly ids: IdRange | undefined
}

/** fsconfig takes 255 bytes a value; longer paths need an open folder, which the kernel then names itself. */
const longestValue = 255

/** Marks as attributes that any user may set, which overlay must be told where only those can be set (5.11). */
const userMarks = 'userxattr'

/** Layers that one overlay has at most. (fs/overlayfs/params.h: OVL_MAX_STACK) */
const mostLayers = 500

export function overlaySteps(given: Overlay, facts: HostFacts, cause: string): Step[] {
  if (!facts.layerByLayer) return oldOverlaySteps(given, facts, cause)
  const overlay = given.layers.length < mostLayers ? given : { ...given, beneath: undefined }
  if (overlay.ids) return mappedOverlaySteps(overlay, overlay.ids, cause)
  const { layers, beneath, changes, slot, place } = overlay
  const set = (key: string, value: string) => setStep(key, value, cause)
  return [
    step('fs-open', { type: 'overlay' }, cause),
    set('source', 'overlay'),
    // the first one added lies on top
    ...[...layers].reverse().map(layer => set('lowerdir+', layer)),
    ...(beneath === undefined ? [] : [setStep('lowerdir+', beneath, 'default')]),
    ...(changes ? [set('upperdir', changes.upper), set('workdir', changes.work)] : []),
    ...(facts.rootless ? [step('fs-flag', { key: userMarks }, cause)] : []),
    step('fs-mount', { slot, attributes: 0 }, cause),
    step('attach-root', { slot, path: place }, cause),
  ]
}

function setStep(key: string, value: string, cause: string): Step {
  if (Buffer.byteLength(value) > longestValue)
    throw new Failure('unsupported', `Cannot use layer folder "${value}": its path has more than ${longestValue} bytes`)
  return step('fs-set', { key, value }, cause)
}

/**
 * Overlay asks each layer's mount who owns what. So the folder above the layers, and then that above the changes, is mounted at the place
 * with mapped ids, one over the other, and the layers are named there: the kernel keeps each as it is when it is named.
 */
function mappedOverlaySteps({ layers, beneath, changes, slot, place }: Overlay, ids: IdRange, cause: string): Step[] {
  const at = (folder: HostPath) => [
    step('tree', { slot, path: folder, recursive: 0 }, cause),
    ...mapSteps(slot, folder, false, ids),
    step('attach-root', { slot, path: place }, cause),
  ]
  const steps: Step[] = [step('fs-open', { type: 'overlay' }, cause), setStep('source', 'overlay', cause)]
  let folder: HostPath | undefined
  const all = [
    ...(beneath === undefined ? [] : [{ layer: beneath, cause: 'default' }]),
    ...layers.map(layer => ({ layer, cause })),
  ]
  for (const { layer, cause } of all.reverse()) {
    const above = posix.dirname(posix.dirname(layer))
    if (above !== folder) steps.push(...at(above))
    folder = above
    steps.push(setStep('lowerdir+', place + layer.slice(above.length), cause))
  }
  if (!changes) return [...steps, step('fs-mount', { slot, attributes: 0 }, cause)]
  const { upper, work } = changes
  const home = posix.dirname(upper)
  if (posix.dirname(work) !== home)
    throw new Failure('unsupported', `Cannot map the ids of "${upper}" and "${work}": they are in different folders`)
  return [
    ...steps,
    ...at(home),
    setStep('upperdir', place + upper.slice(home.length), cause),
    setStep('workdir', place + work.slice(home.length), cause),
    // as the namespace's root: overlay makes its own files as whoever mounts it, who must have an id on those mounts
    step('fs-mount-as', { slot, attributes: 0, uid: ids.uid, gid: ids.gid }, cause),
  ]
}

/** Before 6.5 all layers stand in one option string of a page: names relative to the folder above them make the most of it. */
function oldOverlaySteps({ layers, changes, slot, place }: Overlay, facts: HostFacts, cause: string): Step[] {
  const parts = layers.map(layer => layer.split('/'))
  let depth = 0
  while (depth < parts[0]!.length - 1 && parts.every(part => part[depth] === parts[0]![depth])) depth++
  const folder = parts[0]!.slice(0, depth).join('/') || '/'
  const escaped = (path: string) => path.replace(/[\\:,]/g, '\\$&')
  const lower = [...parts].reverse().map(part => escaped(part.slice(depth).join('/')))
  const options = [`lowerdir=${lower.join(':')}`]
  if (changes) options.push(`upperdir=${escaped(changes.upper)}`, `workdir=${escaped(changes.work)}`)
  if (facts.rootless) options.push(userMarks)
  const data = options.join(',')
  if (Buffer.byteLength(data) > 4095)
    throw new Failure(
      'unsupported',
      `Cannot mount ${layers.length} layers: this kernel takes their names in 4095 bytes`,
      {
        hint: 'Use a kernel of 6.5 or later, or squash the image',
      },
    )
  return [step('mount-overlay', { folder, data, target: place, slot }, cause)]
}
