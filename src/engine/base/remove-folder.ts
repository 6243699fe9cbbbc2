/** A folder and all that is in it → nothing, whatever a container made of it or does to it meanwhile: native/remove.c. */
import PQueue from 'p-queue'
import { removeSome } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

/** Milliseconds for which a thread is held, of which there are four: whoever reads a file meanwhile comes between. */
const slice = 20

/** Of all removals together: as many calls as are asked for at once, of an image of 500 layers say, koffi does not take. */
const slices = new PQueue({ concurrency: 4 })

/** Resolves when it is gone, also when it was not there. Follows no link. */
export async function removeFolder(path: HostPath): Promise<void> {
  while (!(await slices.add(() => removeSome(path, slice))));
}
