/** Anonymous volumes of the container that goes, where the new one wants one too. */
import type { Service } from '../../../model/service.ts'
import type { ObservedContainer, ObservedImage } from '../observed.ts'

/** Target → the volume's name. */
export function inheritedVolumes(
  service: Service,
  old: ObservedContainer,
  image: ObservedImage | undefined,
): ReadonlyMap<string, string> {
  const named = new Map<string, string>()
  for (const { name, target } of old.volumes) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue
    const mount = service.mounts.find(m => m.target === target)
    const wanted = mount
      ? mount.kind === 'volume' && mount.source === undefined
      : (image?.volumes.includes(target) ?? true)
    if (wanted) named.set(target, name)
  }
  return named
}
