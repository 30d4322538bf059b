"""How rules come to alert neither too much nor too little: previews, saved versions, what verdicts say."""
