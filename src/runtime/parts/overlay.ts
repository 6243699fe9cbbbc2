/** Layers one over the other, by whichever way this kernel takes them. */
import { Failure } from '../../lib/failure.ts'
import type { HostFacts } from '../host.ts'
import type { HostPath } from '../spec.ts'
import { type Step, step } from '../steps.ts'

export interface Overlay {
  /** Lowest first. */
  readonly layers: readonly HostPath[]
  /** Where what changes goes; none: for reading only. */
  readonly changes?: { readonly upper: HostPath; readonly work: HostPath }
  readonly slot: number
  /** A folder of the host over which it is attached, in the container's mount namespace alone. */
  readonly place: HostPath
}

/** fsconfig takes 255 bytes a value; longer paths need an open folder, which the kernel then names itself. */
const longestValue = 255

export function overlaySteps(overlay: Overlay, facts: HostFacts, cause: string): Step[] {
  if (!facts.layerByLayer) return oldOverlaySteps(overlay, cause)
  const { layers, changes, slot, place } = overlay
  const long = [...layers, changes?.upper ?? '', changes?.work ?? ''].find(
    path => Buffer.byteLength(path) > longestValue,
  )
  if (long !== undefined)
    throw new Failure('unsupported', `Cannot use layer folder "${long}": its path has more than ${longestValue} bytes`)
  const set = (key: string, value: string) => step('fs-set', { key, value }, cause)
  return [
    step('fs-open', { type: 'overlay' }, cause),
    set('source', 'overlay'),
    // the first one added lies on top
    ...[...layers].reverse().map(layer => set('lowerdir+', layer)),
    ...(changes ? [set('upperdir', changes.upper), set('workdir', changes.work)] : []),
    step('fs-mount', { slot, attributes: 0 }, cause),
    step('attach-root', { slot, path: place }, cause),
  ]
}

/** Before 6.5 all layers stand in one option string of a page: names relative to the folder above them make the most of it. */
function oldOverlaySteps({ layers, changes, slot, place }: Overlay, cause: string): Step[] {
  const parts = layers.map(layer => layer.split('/'))
  let depth = 0
  while (depth < parts[0]!.length - 1 && parts.every(part => part[depth] === parts[0]![depth])) depth++
  const folder = parts[0]!.slice(0, depth).join('/') || '/'
  const escaped = (path: string) => path.replace(/[\\:,]/g, '\\$&')
  const lower = [...parts].reverse().map(part => escaped(part.slice(depth).join('/')))
  const options = [`lowerdir=${lower.join(':')}`]
  if (changes) options.push(`upperdir=${escaped(changes.upper)}`, `workdir=${escaped(changes.work)}`)
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
