/** A folder and all that is in it → nothing, whatever a container made of it or does to it meanwhile: native/remove.c. */
import { removeSome } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

/** Milliseconds for which a thread is held, of which there are four: whoever reads a file meanwhile comes between. */
const slice = 20

/** Resolves when it is gone, also when it was not there. Follows no link. */
export async function removeFolder(path: HostPath): Promise<void> {
  while (!(await removeSome(path, slice)));
}
