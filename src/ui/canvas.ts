/** What the terminal view is drawn on. */

/** What can be said of a piece of text; an empty screen of colours leaves it as it is. */
export type Tone = 'strong' | 'weak' | 'chosen' | 'good' | 'bad' | 'doubtful'
export type Tint = (tone: Tone, text: string) => string

export interface Canvas {
  readonly width: number
  readonly height: number
  readonly tint: Tint
  /** Of the engine. */
  readonly host: string
}
