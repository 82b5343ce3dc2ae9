export declare function spellingsOf(secret: string): Record<string, string>
export declare function findSecrets(
  bytes: Uint8Array | string,
  secrets: Record<string, string>,
): { readonly name: string; readonly spelling: string }[]
export declare function findMintedTokens(text: string): { readonly spelling: string; readonly line: number }[]
