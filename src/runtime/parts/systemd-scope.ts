/** Where systemd gives us room for a group: which scope, in which slice, in which folder below the mount. Pure. */

export interface ScopePlace {
  /** "system.slice", or the slice that somebody chose as parent. */
  readonly slice: string
  /** "tscompose.scope" */
  readonly unit: string
  /** "system.slice/tscompose.scope": what is below is ours. */
  readonly folder: string
}

/** Units of the machine's services stand in it (systemd.special(7)). */
const servicesSlice = 'system.slice'

export function isSlice(name: string): boolean {
  return /^[A-Za-z0-9:_.\\-]+\.slice$/.test(name) && name !== '-.slice' && !/--|^-|-\.slice$/.test(name)
}

/** Of a group's path: "shop.slice/1a2b" is in a scope of the slice shop.slice, "tscompose/1a2b" in that of the services. */
export function scopeOf(name: string, path: string): ScopePlace {
  const first = path.split('/')[0]!
  if (!isSlice(first)) return { slice: servicesSlice, unit: `${name}.scope`, folder: `${servicesSlice}/${name}.scope` }
  const unit = `${name}-${first.slice(0, -'.slice'.length)}.scope`
  return { slice: first, unit, folder: `${sliceFolder(first)}/${unit}` }
}

/** "a-b.slice" stands in "a.slice" (systemd.slice(5)) → "a.slice/a-b.slice". */
function sliceFolder(slice: string): string {
  const parts = slice.slice(0, -'.slice'.length).split('-')
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`).join('/')
}
