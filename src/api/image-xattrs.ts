/**
 * Extended attributes that files of images and build contexts may bring and keep: their own (user.*), access lists and file capabilities.
 * Everything else is the host's business, above all overlay's own trusted.overlay.* and user.overlay.*, by which a layer could
 * redirect paths.
 */
const named = new Set(['security.capability', 'system.posix_acl_access', 'system.posix_acl_default'])

export function isImageXattr(name: string): boolean {
  if (name.includes('\0') || Buffer.byteLength(name) > 255) return false
  if (name.startsWith('user.')) return !name.startsWith('user.overlay.')
  return named.has(name)
}
