// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Wei that accounts can withdraw. A word holds the amount and one more once anything was credited:
/// a word that becomes 0 again would cost as much as a new one at the next credit.
struct CreditBook {
    mapping(address account => uint256) words;
}

/// @title Credits of accounts.
library Credits {
    /// @return amount that the account can withdraw
    function amountOf(CreditBook storage book, address account)
        internal
        view
        returns (uint256 amount)
    {
        amount = book.words[account];
        if (amount != 0) --amount;
    }

    function add(CreditBook storage book, address account, uint256 amount) internal {
        uint256 word = book.words[account];
        if (word == 0) word = 1;
        book.words[account] = word + amount;
    }

    /// Takes an amount that the caller knows to be there.
    function take(CreditBook storage book, address account, uint256 amount) internal {
        book.words[account] -= amount;
    }
}
