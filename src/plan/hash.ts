/** The hash of what matters in a service, network or volume, and of each field by itself. */

/** Field path ("environment.TAG", "image") → short hash. */
export type Fields = Readonly<Record<string, string>>
