/** Pull. */
import type { Image } from './image.ts'
import type { ImageStore, PullOptions } from './images.ts'
export class Puller {
  constructor(_store: ImageStore) {}
  async pull(_reference: string, _options: PullOptions): Promise<Image> {
    throw new Error('stub')
  }
}
